# The server, the operator's command line and the simulated fleet in one image. See apps/telemetry/docs/install.md.

# The whole Debian image: better-sqlite3 is compiled here, against the headers that the image ships (decision 0007).
FROM node:24.21.0-bookworm AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY scripts/ensure-installed.mjs scripts/node-headers.mjs scripts/
# Not a plain `npm ci`: this one mends the headers, and fails on a binary that would abort the server.
RUN npm run -s setup
COPY . .
RUN npm run -s build && npm prune --omit=dev --ignore-scripts && npm run -s setup

FROM node:24.21.0-bookworm-slim
RUN rm -rf /usr/local/lib/node_modules /usr/local/include /opt/yarn-* /usr/local/bin/npm /usr/local/bin/npx /usr/local/bin/corepack \
      /usr/local/bin/yarn /usr/local/bin/yarnpkg \
  && groupadd --gid 10001 quantrac \
  && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin quantrac \
  && install -d -o 10001 -g 10001 -m 0700 /data /backups \
  && install -d -o 10001 -g 10001 -m 0755 /generated/telemetry /generated/prometheus /generated/grafana
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY devices devices
COPY simulators/scenarios simulators/scenarios
COPY deploy/container deploy/container
COPY --chmod=0755 deploy/container/ops /usr/local/bin/ops
ENV NODE_ENV=production QUANTRAC_DATA_DIR=/data
USER 10001:10001
# The binary was compiled in the other image: it must load in this one.
RUN ["node", "-e", "new (require('better-sqlite3'))(':memory:').close()"]
VOLUME ["/data"]
EXPOSE 8080 1883 8443 8883
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 CMD ["node", "deploy/container/healthy.mjs"]
CMD ["node", "--enable-source-maps", "dist/apps/telemetry/src/main.js"]
