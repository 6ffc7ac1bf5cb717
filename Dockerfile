# One image for each app, built from the root of the repository: docker build --build-arg APP=query-api .
ARG APP=ingestor

# What npm reads, each file in its folder: as long as these are the same, the installed packages come from the cache.
FROM node:24-slim AS manifests
WORKDIR /app
COPY . .
RUN find . -type f ! -name package.json ! -name package-lock.json ! -name .npmrc -delete && find . -type d -empty -delete

FROM node:24-slim AS build
ARG APP
WORKDIR /app
COPY --from=manifests /app ./
RUN npm ci
COPY . .
RUN npx nx build ${APP}

FROM node:24-slim AS dependencies
WORKDIR /app
COPY --from=manifests /app ./
# The workspace's own packages are in the bundle.
RUN npm ci --omit=dev && rm -rf node_modules/@tiltak

FROM node:24-slim AS program
ARG APP
ENV NODE_ENV=production
WORKDIR /app
COPY --from=dependencies /app/node_modules node_modules
COPY --from=build /app/dist/apps/${APP} ./
# Nothing is written but to /tmp: the root file system may be read-only.
USER 1069
EXPOSE 8080

FROM program AS query-api
CMD ["node", "--enable-source-maps", "main.cjs"]

FROM program AS ingestor
# One arena and little garbage: any backlog fits in 200 MiB, for a tenth of the speed.
ENV MALLOC_ARENA_MAX=1
CMD ["node", "--enable-source-maps", "--max-semi-space-size=8", "--max-old-space-size=192", "main.cjs"]

FROM ${APP}
