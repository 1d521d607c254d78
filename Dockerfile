# Builds the service: `docker build -t oss-presign .`. With `--target demo` it builds the demo and
# the emulator.

# The tag of the official Node.js image. A digest may follow it.
ARG NODE_VERSION=24.21-bookworm-slim

FROM docker.io/library/node:${NODE_VERSION} AS node-base

FROM node-base AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --no-audit --no-fund

FROM node-base AS sources
WORKDIR /app
COPY package.json ./
COPY src ./src

# Production has neither the OSS emulator nor the demo, which issues tokens to everyone.
FROM sources AS production-sources
RUN rm -r src/emulator src/demo

FROM node-base AS base
# The compile cache halves the time to start: without it, each start strips types and compiles the
# same code.
ENV NODE_ENV=production HOST=0.0.0.0 PORT=8080 NODE_COMPILE_CACHE=/app/node_modules/.cache/compiled
# Limits V8's space for new objects to 32 MiB instead of 128 MiB. Requests need little of it. Same
# value as in `npm start`.
ENV NODE_OPTIONS=--max-semi-space-size=16
WORKDIR /app
COPY --from=dependencies /app/node_modules ./node_modules
EXPOSE 8080
USER node
STOPSIGNAL SIGTERM

# The emulator has two development dependencies. package-lock.json fixes their hashes.
FROM dependencies AS demo-dependencies
RUN npm install --no-save --save-prod --omit=dev --no-audit --no-fund \
      $(node --print "const { devDependencies } = require('./package.json'); \
        ['@fastify/busboy', 'image-size'].map((name) => name + '@' + devDependencies[name]).join(' ')")

FROM base AS demo
COPY --from=demo-dependencies /app/node_modules/@fastify/busboy ./node_modules/@fastify/busboy
COPY --from=demo-dependencies /app/node_modules/image-size ./node_modules/image-size
COPY --from=sources /app ./
EXPOSE 8090 9000
CMD ["node", "src/demo/demo-servers.ts"]

# Starts the service once to fill the compile cache. `timeout` stops it and exits with 124. Runs as
# the user `node`, because Node.js keeps a separate cache for each user.
FROM base AS started
COPY --from=production-sources /app ./
USER root
RUN install -d -o node /app/node_modules/.cache
USER node
RUN printf '%s\n' \
      'issuers: [{ issuer: "https://login.invalid/", audience: uploads, secretEnv: SECRET }]' \
      'targets: { media: { bucket: example, region: cn-hangzhou } }' \
      'rules: [{ name: none, who: { scope: none }, target: media, prefix: none/, contentTypes: [image/png], maxSize: 1KiB }]' \
      > /tmp/policy.yaml \
 && { SECRET=12345678901234567890123456789012 POLICY_FILE=/tmp/policy.yaml PORT=0 SHUTDOWN_DELAY_SECONDS=0 \
      OSS_ACCESS_KEY_ID=none OSS_ACCESS_KEY_SECRET=none \
      timeout 5 node src/main.ts || [ $? -eq 124 ]; } \
 && chmod -R a+rX node_modules/.cache

FROM base AS runtime
LABEL org.opencontainers.image.title="oss-presign" \
      org.opencontainers.image.description="Presigned PUT URLs for Alibaba Cloud OSS, by policy" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=production-sources /app ./
COPY --from=started --chown=root:root /app/node_modules/.cache ./node_modules/.cache
# Liveness only: a replica that is not ready, without credentials or while it drains, must not be
# restarted.
HEALTHCHECK --interval=5s --timeout=3s --start-period=10s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/livez`).then((response) => process.exit(response.ok ? 0 : 1), () => process.exit(1))"]
# The process of `npm start`, but without npm, so that signals reach it, and without reading .env.
CMD ["node", "src/main.ts"]
