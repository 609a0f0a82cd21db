import { realpathSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { cacheFolder, ensureFolder, folderText } from './cache.ts'
import { imageBase, libraryTriple } from './debian.ts'
import { type Image, type Layer, writeImageArchive } from './image.ts'
import { inStep, type OnProgress } from './progress.ts'

/** Names of the images every node has; a Pod must not ask for another, there is no registry. */
export const imageNames = {
  pause: 'jackstay.local/pause:1',
  app1: 'jackstay.local/app:1',
  app2: 'jackstay.local/app:2',
} as const

const appFolder = fileURLToPath(new URL('app', import.meta.url))
const imageSource = fileURLToPath(new URL('image.ts', import.meta.url))
const ownSource = fileURLToPath(import.meta.url)

/** The archive with the images of every node, made now if it is not in the cache. */
export async function testImages(
  pause: string,
  onProgress: OnProgress,
  signal?: AbortSignal,
): Promise<string> {
  const base = await imageBase(onProgress, signal)
  const sources = [await folderText(appFolder), await readFile(imageSource, 'utf8')]
  const made = [basename(base), basename(dirname(pause)), await readFile(ownSource, 'utf8')]
  const recipe = JSON.stringify([...made, ...sources])
  const folder = cacheFolder('images', `node${process.versions.node}`, recipe)
  await ensureFolder(
    folder,
    (unfinished) =>
      inStep(onProgress, 'making images', async () => {
        const images = [pauseImage(pause), ...(await appImages(base))]
        await writeImageArchive(join(unfinished, 'images.tar'), images)
      }),
    signal,
  )
  return join(folder, 'images.tar')
}

function pauseImage(pause: string): Image {
  return {
    name: imageNames.pause,
    config: { Entrypoint: ['/pause'], User: '65535:65535' },
    layers: [[{ path: 'pause', from: pause, mode: 0o755 }]],
  }
}

async function appImages(base: string): Promise<Image[]> {
  const shared = [baseLayer(base), nodeLayer()]
  const image = (name: string, version: string): Image => ({
    name,
    config: {
      Entrypoint: ['/usr/local/bin/node', '/app/server.js'],
      Env: ['PATH=/usr/local/bin:/usr/bin:/bin'],
      User: '10001:10001',
      WorkingDir: '/app',
      ExposedPorts: { '8080/tcp': {} },
    },
    layers: [
      ...shared,
      [
        { path: 'app/server.js', from: join(appFolder, 'server.js') },
        { path: 'app/get.js', from: join(appFolder, 'get.js') },
        { path: 'app/VERSION', text: `${version}\n` },
      ],
    ],
  })
  return [image(imageNames.app1, '1'), image(imageNames.app2, '2')]
}

const SHELL_COMMANDS = 'sh ls cat id nc nslookup sleep env ps touch grep head tail date wget'

/** What node and a shell need of a system: no package manager, nothing that changes user. */
function baseLayer(base: string): Layer {
  const library = `lib/${libraryTriple()}`
  const libraries = `usr/${library}`
  // newer releases have links to `usr` in their place
  const real = (path: string) => realpathSync(join(base, path))
  return [
    { path: 'tmp', directory: true, mode: 0o1777 },
    { path: 'home/app', directory: true },
    { path: library, from: real(library) },
    { path: libraries, from: real(libraries) },
    ...(process.arch === 'x64' ? [{ path: 'lib64', from: real('lib64') }] : []),
    { path: 'bin/busybox', from: join(base, 'bin/busybox') },
    ...SHELL_COMMANDS.split(' ').map((name) => ({ path: `bin/${name}`, link: 'busybox' })),
    { path: 'etc/protocols', from: join(base, 'etc/protocols') },
    { path: 'etc/services', from: join(base, 'etc/services') },
    { path: 'etc/nsswitch.conf', text: 'hosts: files dns\n' },
    {
      path: 'etc/passwd',
      text: 'root:x:0:0:root:/:/bin/sh\napp:x:10001:10001:app:/home/app:/bin/sh\n',
    },
    { path: 'etc/group', text: 'root:x:0:\napp:x:10001:\n' },
  ]
}

/** The node that runs this very program, so nothing has to be fetched. */
function nodeLayer(): Layer {
  return [{ path: 'usr/local/bin/node', from: process.execPath, mode: 0o755 }]
}
