import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { GoRecipe } from './go-program.ts'
import { versions } from './versions.ts'

const stamped = (path: string) => {
  const [major, minor] = versions.kubernetes.split('.')
  const facts = [`gitVersion=v${versions.kubernetes}`, `gitMajor=${major}`, `gitMinor=${minor}`]
  return [...facts, 'gitTreeState=clean'].map((fact) => `-X ${path}.${fact}`).join(' ')
}

const modules = join(dirname(fileURLToPath(import.meta.url)), 'go')

const fromModule = (name: keyof typeof versions) => ({
  name,
  version: versions[name],
  module: join(modules, name),
  target: '.',
})

/** Every name of it is one binary. */
export const kubernetes: GoRecipe = {
  ...fromModule('kubernetes'),
  ldflags: `-s -w ${stamped('k8s.io/component-base/version')} ${stamped('k8s.io/client-go/pkg/version')}`,
  links: [
    'kube-apiserver',
    'kube-controller-manager',
    'kube-scheduler',
    'kubelet',
    'kube-proxy',
    'kubectl',
  ],
  firstTime: 'about six minutes',
}

export const etcd: GoRecipe = { ...fromModule('etcd'), firstTime: 'about a minute' }

export const coredns: GoRecipe = { ...fromModule('coredns'), firstTime: 'about two minutes' }

export const alertmanager: GoRecipe = {
  ...fromModule('alertmanager'),
  target: 'github.com/prometheus/alertmanager/cmd/alertmanager',
  firstTime: 'about a minute',
}

export const pause: GoRecipe = { ...fromModule('pause'), firstTime: 'a few seconds' }
