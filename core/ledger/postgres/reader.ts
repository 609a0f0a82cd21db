import type { TileReader } from '../log/reader.ts'
import { Connection } from './connection.ts'
import { assertKnownSchema } from './schema.ts'
import { told } from './session.ts'
import { PostgresTiles } from './tiles.ts'
import { postgresTarget, schemaName } from './url.ts'

/** How long a reader waits for a server that is away. */
const patienceMs = 20_000

export interface PostgresReaderOptions {
  readonly url: string
  /** `jackstay` unless given. */
  readonly schema?: string
}

/** Reads a log in PostgreSQL without changing it, also while its owners write. */
export async function openPostgresReader(
  options: PostgresReaderOptions,
): Promise<TileReader & { close(): Promise<void> }> {
  const schema = schemaName(options.schema)
  const target = await postgresTarget(options.url)
  const connection = new Connection({ target, schema, forReading: true })
  const session = () => connection.session(performance.now() + patienceMs)
  try {
    await assertKnownSchema(await session(), schema)
  } catch (error) {
    await connection.close()
    throw told(error, target)
  }
  const tiles = new PostgresTiles(async (statement, values) => {
    try {
      return await (await session()).run(statement, values)
    } catch (error) {
      throw told(error, target)
    }
  })
  return {
    checkpoint: () => tiles.checkpoint(),
    tile: (level, index, width) =>
      level === 'entries' ? tiles.entries(index, width) : tiles.hashes(level, index, width),
    close: () => connection.close(),
  }
}
