/** As much as is used of two packages that have no types. */
declare module 'kaitai-struct-compiler' {
  export default class KaitaiStructCompiler {
    readonly version: string
    /** The files of a parser by their names. */
    compile(
      language: string,
      description: unknown,
      imports: null,
      debug: boolean
    ): Promise<Readonly<Record<string, string>>>
  }
}

declare module 'kaitai-struct/KaitaiStream.js' {
  export default class KaitaiStream {
    readonly size: number
    constructor(bytes: Uint8Array)
  }
}
