# oss-presign: `docker build -t oss-presign .`; with the emulator and the demo: `--target demo`.
ARG NODE_IMAGE=docker.io/library/node:24.21-bookworm-slim

FROM ${NODE_IMAGE} AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --no-audit --no-fund

FROM ${NODE_IMAGE} AS sources
WORKDIR /app
COPY package.json ./
COPY src ./src

# What production does not need, it does not get: no second OSS, and nobody who issues tokens.
FROM sources AS production-sources
RUN rm -r src/emulator src/demo

FROM ${NODE_IMAGE} AS base
# Half of the time to start is spent on compiling what has not changed since the last start, and stripping its types.
ENV NODE_ENV=production HOST=0.0.0.0 PORT=8080 NODE_COMPILE_CACHE=/app/node_modules/.cache/compiled
# V8 lets the space of new objects grow to 128 MiB, of which a request needs next to nothing. As in `npm start`.
ENV NODE_OPTIONS=--max-semi-space-size=16
WORKDIR /app
COPY --from=dependencies /app/node_modules ./node_modules
EXPOSE 8080
USER node
STOPSIGNAL SIGTERM

FROM base AS demo
COPY --from=sources /app ./
EXPOSE 8090 9000
CMD ["node", "src/demo/demo-servers.ts"]

# One start, so that every later one finds its code compiled; `timeout` ends it, and says so with 124. As the user who will run
# it, since Node keeps what it compiled for each user apart.
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
# Liveness only: a copy that is unready, for want of keys or while it drains, must be left alone and not be restarted.
HEALTHCHECK --interval=5s --timeout=3s --start-period=10s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/livez`).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
# What `npm start` runs, without npm in between, so that signals reach the process itself, and without reading .env.
CMD ["node", "src/main.ts"]
