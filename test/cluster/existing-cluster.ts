export function existingCluster(path: string, mode: string): never {
  throw new Error(path + mode)
}
