/** What is used of the package, which brings no types. */
declare module 'fs-native-extensions' {
  interface Extensions {
    /** Takes a lock of the open file on a range of bytes; returns false where another one conflicts with it. */
    readonly tryLock: (fd: number, offset: number, length: number, options?: { readonly shared: boolean }) => boolean
    /** Gives a range back to the file system; it reads as zeros. Throws where that cannot be done. */
    readonly trimSync: (fd: number, offset: number, length: number) => void
  }
  const extensions: Extensions
  export default extensions
}
