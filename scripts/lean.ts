import type { Plugin } from 'esbuild'

interface Part {
  /** The file of a package that is replaced. */
  readonly file: RegExp
  readonly contents: string
}

/**
 * What no program of ours reaches, and every one of them would parse and keep at each start: of the
 * official client all but kubeconfig and authentication, of undici all but connections to a server,
 * of zod what it says in other languages. What is missed by a name fails the bundling, not a user.
 */
const parts: readonly Part[] = [
  {
    file: /\/@kubernetes\/client-node\/dist\/index\.js$/,
    contents: `export { KubeConfig } from './config.js'
export { load as loadYaml } from 'js-yaml'`,
  },
  {
    // the generated API, one class a kind
    file: /\/@kubernetes\/client-node\/dist\/gen\/index\.js$/,
    contents: `const left = () => { throw new Error('the generated API client is not in this bundle') }
export const createConfiguration = left
export class ServerConfiguration { constructor() { left() } }`,
  },
  {
    file: /\/undici\/index\.js$/,
    contents: `const Dispatcher = require('./lib/dispatcher/dispatcher')
Object.assign(Dispatcher.prototype, require('./lib/api'))
exports.Dispatcher = Dispatcher
exports.Agent = require('./lib/dispatcher/agent')
exports.Pool = require('./lib/dispatcher/pool')
exports.ProxyAgent = require('./lib/dispatcher/proxy-agent')`,
  },
  {
    // one connection, one request: never asked for
    file: /\/undici\/lib\/dispatcher\/client-h2\.js$/,
    contents: `module.exports = () => { throw new Error('HTTP/2 is not in this bundle') }`,
  },
  {
    file: /\/socks\/build\/index\.js$/,
    contents: `export const SocksClient = {
  createConnection() { throw new Error('SOCKS proxies are not supported') },
}`,
  },
  {
    file: /\/socks-proxy-agent\/dist\/index\.js$/,
    contents: `export class SocksProxyAgent {
  constructor() { throw new Error('SOCKS proxies are not supported') }
}`,
  },
  {
    file: /\/zod\/v4\/locales\/index\.js$/,
    contents: `export { default as en } from './en.js'`,
  },
]

/** Bundles of programs without those parts. */
export const lean: Plugin = {
  name: 'lean',
  setup({ onLoad }) {
    for (const { file, contents } of parts) {
      onLoad({ filter: file }, () => ({ contents, loader: 'js' }))
    }
  },
}
