import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { lstat, mkdtemp, readdir, readlink, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Transform } from 'node:stream'
import { finished, pipeline } from 'node:stream/promises'
import { type Pack, pack } from 'tar-stream'

/** A file of a layer: text made here, or a file (or folder with all in it) taken from the disk. */
export type LayerEntry =
  | { readonly path: string; readonly text: string; readonly mode?: number }
  | { readonly path: string; readonly from: string; readonly mode?: number }
  | { readonly path: string; readonly link: string }
  | { readonly path: string; readonly directory: true; readonly mode?: number }

export type Layer = readonly LayerEntry[]

export type ImageConfig = {
  readonly Entrypoint: readonly string[]
  readonly Cmd?: readonly string[]
  readonly Env?: readonly string[]
  /** `uid:gid`, as numbers: the kubelet cannot tell whether a name is root. */
  readonly User: string
  readonly WorkingDir?: string
  readonly ExposedPorts?: Readonly<Record<string, object>>
}

export type Image = {
  /** With tag, such as `jackstay.local/app:1`. */
  readonly name: string
  readonly config: ImageConfig
  readonly layers: readonly Layer[]
}

type Blob = { readonly digest: string; readonly size: number }
type Content = { readonly bytes: Buffer } | { readonly file: string }

const OCI = 'application/vnd.oci.image'

/**
 * Writes images as one OCI archive that `ctr images import` takes: no registry, no daemon. The same
 * content gives the same digests on every machine: owners, times and order are fixed. Layers that
 * several images share (the same array) are stored once.
 *
 * @returns the manifest digest of each image by its name
 */
export async function writeImageArchive(
  archive: string,
  images: readonly Image[],
): Promise<Map<string, string>> {
  const folder = await mkdtemp(join(tmpdir(), 'jackstay-image-'))
  try {
    const blobs = new Map<string, Content & Blob>()
    const written = new Map<Layer, Blob>()
    for (const layer of new Set(images.flatMap((image) => image.layers))) {
      const file = join(folder, `layer${written.size}.tar`)
      const blob = await writeLayer(file, layer)
      written.set(layer, blob)
      blobs.set(blob.digest, { file, ...blob })
    }
    const manifests = images.map((image) => addManifest(image, written, blobs))
    await writeLayout(archive, manifests, blobs)
    return new Map(images.map(({ name }, index) => [name, manifests[index]?.digest ?? '']))
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

type Manifest = Blob & { readonly name: string }

function addManifest(
  { name, config, layers }: Image,
  written: ReadonlyMap<Layer, Blob>,
  blobs: Map<string, Content & Blob>,
): Manifest {
  const add = (value: unknown): Blob => {
    const bytes = Buffer.from(JSON.stringify(value))
    const blob = { digest: `sha256:${sha256(bytes)}`, size: bytes.length }
    blobs.set(blob.digest, { bytes, ...blob })
    return blob
  }
  const parts = layers.map((layer) => written.get(layer)).filter((blob) => blob !== undefined)
  const configuration = add({
    architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
    os: 'linux',
    config,
    // layers are stored as they are, so their digest is that of their content
    rootfs: { type: 'layers', diff_ids: parts.map(({ digest }) => digest) },
  })
  const manifest = add({
    schemaVersion: 2,
    mediaType: `${OCI}.manifest.v1+json`,
    config: { mediaType: `${OCI}.config.v1+json`, ...configuration },
    layers: parts.map((part) => ({ mediaType: `${OCI}.layer.v1.tar`, ...part })),
  })
  return { name, ...manifest }
}

async function writeLayout(
  archive: string,
  manifests: readonly Manifest[],
  blobs: ReadonlyMap<string, Content & Blob>,
): Promise<void> {
  const tar = pack()
  const output = pipeline(tar, createWriteStream(archive))
  const index = {
    schemaVersion: 2,
    manifests: manifests.map(({ name, digest, size }) => ({
      mediaType: `${OCI}.manifest.v1+json`,
      digest,
      size,
      annotations: {
        'io.containerd.image.name': name,
        'org.opencontainers.image.ref.name': name.slice(name.lastIndexOf(':') + 1),
      },
    })),
  }
  await addBytes(tar, 'oci-layout', Buffer.from('{"imageLayoutVersion":"1.0.0"}'))
  await addBytes(tar, 'index.json', Buffer.from(JSON.stringify(index)))
  for (const [digest, blob] of blobs) {
    const path = `blobs/sha256/${digest.slice('sha256:'.length)}`
    if ('bytes' in blob) await addBytes(tar, path, blob.bytes)
    else await addFile(tar, path, blob.file, blob.size, 0o644)
  }
  tar.finalize()
  await output
}

async function writeLayer(file: string, layer: Layer): Promise<Blob> {
  const hash = createHash('sha256')
  let size = 0
  const measure = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk)
      size += chunk.length
      done(null, chunk)
    },
  })
  const tar = pack()
  const output = pipeline(tar, measure, createWriteStream(file))
  for (const entry of layer) await addEntry(tar, entry)
  tar.finalize()
  await output
  return { digest: `sha256:${hash.digest('hex')}`, size }
}

async function addEntry(tar: Pack, entry: LayerEntry): Promise<void> {
  if ('text' in entry) {
    await addBytes(tar, entry.path, Buffer.from(entry.text), entry.mode)
  } else if ('link' in entry) {
    tar.entry({ ...fixed, name: entry.path, type: 'symlink', linkname: entry.link })
  } else if ('directory' in entry) {
    tar.entry({ ...fixed, name: entry.path, type: 'directory', mode: entry.mode ?? 0o755 })
  } else await addFromDisk(tar, entry.path, entry.from, entry.mode)
}

const fixed = { uid: 0, gid: 0, mtime: new Date(0) }

async function addFromDisk(
  tar: Pack,
  path: string,
  from: string,
  mode: number | undefined,
): Promise<void> {
  const status = await lstat(from)
  if (status.isSymbolicLink()) {
    tar.entry({ ...fixed, name: path, type: 'symlink', linkname: await readlink(from) })
  } else if (status.isDirectory()) {
    if (path !== '') {
      // set-id bits of packages have no business in an image for tests
      tar.entry({ ...fixed, name: path, type: 'directory', mode: status.mode & 0o1777 })
    }
    for (const name of (await readdir(from)).sort()) {
      await addFromDisk(tar, path === '' ? name : `${path}/${name}`, join(from, name), undefined)
    }
  } else if (status.isFile()) {
    await addFile(tar, path, from, status.size, mode ?? status.mode & 0o777)
  }
}

async function addFile(
  tar: Pack,
  name: string,
  file: string,
  size: number,
  mode: number,
): Promise<void> {
  const entry = tar.entry({ ...fixed, name, size, mode })
  createReadStream(file)
    .on('error', (error) => entry.destroy(error))
    .pipe(entry)
  await finished(entry)
}

async function addBytes(tar: Pack, name: string, bytes: Buffer, mode = 0o644): Promise<void> {
  const entry = tar.entry({ ...fixed, name, size: bytes.length, mode })
  entry.end(bytes)
  await finished(entry)
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}
