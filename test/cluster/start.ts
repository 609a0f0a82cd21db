import { copyFile, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { answersOk } from './api-request.ts'
import {
  apiServerArguments,
  controllerManagerArguments,
  etcdArguments,
  schedulerArguments,
} from './control-plane.ts'
import { type Layout, layoutOf } from './layout.ts'
import { writePki } from './pki.ts'
import { startProgram, waitUntil } from './program.ts'
import { inStep, type OnProgress } from './progress.ts'
import type { ControlPlanePrograms } from './source.ts'
import type { ClusterState } from './state.ts'

const READY_MS = 120_000

export type Start = {
  readonly programs: ControlPlanePrograms
  readonly apiServerFlags: readonly string[]
  readonly onProgress: OnProgress
  readonly signal: AbortSignal | undefined
}

/** Starts etcd and what follows it, until the API server is ready and Namespaces get their accounts. */
export async function startControlPlane(state: ClusterState, start: Start): Promise<Layout> {
  const layout = layoutOf(state)
  await mkdir(join(layout.directory, 'log'), { recursive: true })
  await mkdir(join(layout.directory, 'etcd'), { recursive: true, mode: 0o700 })
  const policy = fileURLToPath(new URL('audit-policy.yaml', import.meta.url))
  await copyFile(policy, join(layout.directory, 'audit-policy.yaml'))
  await inStep(start.onProgress, 'making certificates', () => writePki(layout))
  await inStep(start.onProgress, 'starting the API server', () => startServers(layout, start))
  await inStep(start.onProgress, 'starting the controllers', () => startControllers(layout, start))
  return layout
}

async function startServers(layout: Layout, start: Start): Promise<void> {
  const { programs, apiServerFlags, signal } = start
  startProgram(layout.name, 'etcd', [programs.etcd, ...etcdArguments(layout)])
  const apiServer = [programs.apiServer, ...apiServerArguments(layout, apiServerFlags)]
  startProgram(layout.name, 'kube-apiserver', apiServer)
  await apiServerReady(layout, signal)
}

export async function apiServerReady(layout: Layout, signal?: AbortSignal): Promise<void> {
  const waiting = { name: layout.name, what: 'the API server is ready', withinMs: READY_MS, signal }
  await waitUntil(waiting, () => answersOk(layout, '/readyz'))
}

async function startControllers(layout: Layout, start: Start): Promise<void> {
  const { programs, signal } = start
  const { name } = layout
  if (programs.scheduler !== undefined) {
    startProgram(name, 'kube-scheduler', [programs.scheduler, ...schedulerArguments(layout)])
  }
  if (programs.controllerManager === undefined) return
  const argv = [programs.controllerManager, ...controllerManagerArguments(layout)]
  startProgram(name, 'kube-controller-manager', argv)
  const account = '/api/v1/namespaces/default/serviceaccounts/default'
  const what = 'the Namespace `default` has its ServiceAccount'
  await waitUntil({ name, what, withinMs: READY_MS, signal }, () => answersOk(layout, account))
}
