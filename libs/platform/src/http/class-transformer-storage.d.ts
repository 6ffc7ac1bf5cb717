declare module 'class-transformer/cjs/storage.js' {
  /** What its decorators have noted. It is exported nowhere else; @nestjs/mapped-types reads it here too. */
  export { defaultMetadataStorage } from 'class-transformer/types/storage.js';
}
