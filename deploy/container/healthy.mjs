// Exit 0 while the server answers. It says that the process works, not that the disk does: a restart heals no full disk.
const port = process.env['QUANTRAC_HTTP_PORT'] ?? '8080'
const answer = await fetch(`http://127.0.0.1:${port}/health/live`, { signal: AbortSignal.timeout(4_000) })
if (!answer.ok) throw new Error(`/health/live answers ${answer.status}`)
