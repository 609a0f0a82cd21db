import { type FileHandle, open, stat } from 'node:fs/promises'
import { z } from 'zod'

const auditEvent = z.object({
  stage: z.string(),
  verb: z.string(),
  requestURI: z.string(),
  stageTimestamp: z.string(),
  user: z.object({ username: z.string() }),
  impersonatedUser: z.object({ username: z.string() }).optional(),
  objectRef: z.object({ resource: z.string(), name: z.string().optional() }).optional(),
  responseStatus: z.object({ code: z.int() }).optional(),
})
/** One request as the API server itself noted its end. */
export type AuditEvent = z.infer<typeof auditEvent>

export interface AuditTail {
  /** What came since the last time. */
  rest(): Promise<AuditEvent[]>
  close(): Promise<void>
}

/** Reads an audit log from its end on, over its being put away and begun anew. */
export async function auditTail(path: string): Promise<AuditTail> {
  let file = await open(path)
  let position = (await file.stat()).size
  let partial = ''
  const more = async (): Promise<string> => {
    const text = await readFrom(file, position)
    position += Buffer.byteLength(text)
    return text
  }
  return {
    async rest() {
      let text = partial + (await more())
      const [held, now] = [await file.stat(), await stat(path)]
      if (held.ino !== now.ino) {
        await file.close()
        file = await open(path)
        position = 0
        text += await more()
      }
      const lines = text.split('\n')
      partial = lines.pop() ?? ''
      return lines.map((line) => auditEvent.parse(JSON.parse(line)))
    },
    close: () => file.close(),
  }
}

async function readFrom(file: FileHandle, position: number): Promise<string> {
  const { size } = await file.stat()
  const buffer = Buffer.alloc(Math.max(0, size - position))
  const { bytesRead } = await file.read(buffer, 0, buffer.length, position)
  // a line cut in the middle of a character would not be read to its end
  const end = buffer.lastIndexOf('\n', bytesRead - 1) + 1
  return buffer.toString('utf8', 0, end)
}
