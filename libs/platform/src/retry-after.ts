import { HOUR, type Millis, SECOND } from '#libs/model'

/** A receiver may ask for more; an alarm that is an hour late is late enough. */
const LONGEST: Millis = HOUR
/** RFC 9110, 5.6.7: the form that senders must write. */
const IMF_FIXDATE = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/

/** The instant named by a `Retry-After` header (RFC 9110, 10.2.3: seconds or a date), at most an hour ahead; undefined for none. */
export function retryAfter(header: string | null, now: Millis): Millis | undefined {
  const at = header === null ? undefined : parse(header.trim(), now)
  return at !== undefined && at > now ? Math.min(at, now + LONGEST) : undefined
}

function parse(text: string, now: Millis): Millis | undefined {
  if (/^\d{1,9}$/.test(text)) return now + Number(text) * SECOND
  return IMF_FIXDATE.test(text) ? Date.parse(text) : undefined
}
