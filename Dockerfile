# One image for the three processes; the command says which one runs. Start it with an init (`docker run --init`, `init: true`
# in a compose file): what a task's command leaves behind is then reaped.

FROM node:20-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY . .
RUN node node_modules/.bin/tsc --project . && npm prune --omit=dev --no-audit --no-fund

FROM node:20-bookworm-slim
# In a container, loopback is reachable by nobody else.
ENV NODE_ENV=production HOST=0.0.0.0
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/proto proto
COPY --from=build /app/dist dist
USER node
EXPOSE 8080 50051
# Ready is more than alive: with a ZooKeeper session, and for a worker registered. Masters and workers need ADMIN_PORT set.
HEALTHCHECK --interval=5s --timeout=3s --start-period=60s --retries=3 \
  CMD ["node", "dist/runtime/health-check.js"]
CMD ["node", "--enable-source-maps", "dist/gateway/main.js"]
