# The server, with the shells that it runs in the container: docs/container.md says how to run it.
#
# BASE needs Node with npm, bash, apt, and a user 1000 with a home. By its digest it is the same one each time:
#   docker build --build-arg BASE=node:24-bookworm-slim@sha256:… -t trex .
# A registry or mirror of your own:
#   docker build --secret id=npmrc,src=$HOME/.npmrc -t trex .
ARG BASE=node:24-bookworm-slim

FROM ${BASE} AS build
WORKDIR /app
COPY package.json package-lock.json ./
# No script of a package is run: node-pty brings its native module along, and nothing here is to be compiled.
RUN --mount=type=secret,id=npmrc,target=/root/.npmrc npm ci --ignore-scripts --no-audit --no-fund
COPY . .
RUN npm run build && npm prune --omit=dev --ignore-scripts --no-audit --no-fund \
  && rm -rf dist/.tsbuildinfo node_modules/.cache node_modules/node-pty/third_party \
    node_modules/node-pty/prebuilds/darwin-* node_modules/node-pty/prebuilds/win32-*

FROM ${BASE}
# tini passes signals on to the server, and reaps what shells leave behind. No program makes its caller root.
RUN apt-get update && apt-get install -y --no-install-recommends tini && rm -rf /var/lib/apt/lists/* \
  && find / -xdev -type f -perm /6000 -exec chmod a-s {} +
WORKDIR /app
# Root's: the server, and who has a shell, can read and not change it.
COPY --from=build /app/package.json /app/LICENSE ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY --from=build /app/dist-page ./dist-page
COPY --from=build /app/dist-cli ./dist-cli
COPY deploy/healthcheck.mjs ./
# Whoever can reach the container's address needs a token: without one the server does not start, and ends with 78.
ENV NODE_ENV=production TREX_HOST=0.0.0.0
# By number, so that an orchestrator can see that it is not root.
USER 1000:1000
EXPOSE 3000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s --retries=3 CMD ["node", "/app/healthcheck.mjs"]
ENTRYPOINT ["/usr/bin/tini", "--", "node", "--enable-source-maps", "/app/dist/main.js"]
