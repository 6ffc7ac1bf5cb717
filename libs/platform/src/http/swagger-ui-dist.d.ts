declare module 'swagger-ui-dist/absolute-path.js' {
  /** Where the files of Swagger UI are. */
  function distribution(): string;
  export = distribution;
}
