# One image for each app, built from the root of the repository: docker build --build-arg APP=query-api .
ARG APP=ingestor

# All that the images are made of from elsewhere, besides what package-lock.json says: by digest, which nobody can move.
FROM node:24.21.0-slim@sha256:0e0ff40c39bc087845bfb27465a0df4ea419520094bc35842ff83dd8cbe6f9b6 AS base

# What npm reads, each file in its folder: as long as these are the same, the installed packages come from the cache.
FROM base AS manifests
WORKDIR /app
COPY . .
RUN find . -type f ! -name package.json ! -name package-lock.json ! -name .npmrc -delete && find . -type d -empty -delete

FROM base AS sources
WORKDIR /app
COPY --from=manifests /app ./
RUN npm ci
COPY . .

FROM sources AS build
ARG APP
RUN npx nx build ${APP}

FROM base AS dependencies
WORKDIR /app
COPY --from=manifests /app ./
# The workspace's own packages are in the bundle.
RUN npm ci --omit=dev && rm -rf node_modules/@tiltak

FROM base AS program
ARG APP
ENV NODE_ENV=production
WORKDIR /app
COPY --from=dependencies /app/node_modules node_modules
COPY --from=build /app/dist/apps/${APP} ./
# Compiled by the next stages, in which it is only read: a process starts in less time, also where it may write nothing.
ENV NODE_COMPILE_CACHE=/app/compiled
RUN mkdir compiled && chown 1069 compiled
# Nothing is written but to /tmp: the root file system may be read-only.
USER 1069
EXPOSE 8080

FROM program AS query-api
# With the options of the app, which what is compiled depends on; this command loads all of it.
RUN node --enable-source-maps --max-old-space-size=256 main.cjs openapi > /dev/null
# Half of the memory: rows have their bound in it, and answers and bodies theirs beside it.
CMD ["node", "--enable-source-maps", "--max-old-space-size=256", "main.cjs"]

FROM program AS ingestor
RUN node --enable-source-maps --max-semi-space-size=8 --max-old-space-size=192 main.cjs openapi > /dev/null
# One arena and little garbage: any backlog fits in 200 MiB, for a tenth of the speed.
ENV MALLOC_ARENA_MAX=1
CMD ["node", "--enable-source-maps", "--max-semi-space-size=8", "--max-old-space-size=192", "main.cjs"]

# The token issuer of the local stack, for docker-compose.yml only.
FROM sources AS issuer
USER 1069
EXPOSE 8090
ENTRYPOINT ["node", "--disable-warning=ExperimentalWarning", "tools/local/issuer.ts"]

FROM ${APP}
