import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

export function programOnPath(
  name: string,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): string | undefined {
  const folders = (environment.PATH ?? '').split(delimiter).filter(Boolean)
  return folders.map((folder) => join(folder, name)).find(isExecutable)
}

export function isExecutable(path: string): boolean {
  return isAccessible(path, constants.X_OK)
}

export function isWritable(path: string): boolean {
  return isAccessible(path, constants.W_OK)
}

function isAccessible(path: string, mode: number): boolean {
  try {
    accessSync(path, mode)
    return true
  } catch {
    return false
  }
}
