import { canonical, type Json } from '@jackstay/contract/json'
import { json, text } from '../store/rows.ts'
import type { Note } from '../store/store.ts'
import type { Batch } from './batch.ts'
import type { Run } from './tiles.ts'

const sql = {
  put: {
    name: 'put_note',
    text: `INSERT INTO notes VALUES ($1, $2)
      ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
  },
  remove: { name: 'remove_note', text: 'DELETE FROM notes WHERE name = $1' },
  list: {
    name: 'notes',
    text: 'SELECT name, value FROM notes WHERE starts_with(name, $1) ORDER BY name',
  },
}

export async function putNote(batch: Batch, name: string, value: Json | undefined): Promise<void> {
  if (value === undefined) await batch.run(sql.remove, [name])
  else await batch.run(sql.put, [name, canonical(value)])
}

export async function notesOf(run: Run, prefix: string): Promise<readonly Note[]> {
  const { rows } = await run(sql.list, [prefix])
  return rows.map((row) => ({ name: text(row, 'name'), value: json(row, 'value') }))
}
