/** Where a verifier takes a log from: the C2SP layout, whatever it lies in. */
export interface TileReader {
  /** The newest checkpoint, or undefined where there is none. */
  checkpoint(): Promise<string | undefined>
  /** A hash tile (`level` 0 to 5) or an entry bundle, `width` 1 to 256; undefined when missing. */
  tile(level: number | 'entries', index: number, width: number): Promise<Uint8Array | undefined>
}
