import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parse } from 'yaml'
import { alertmanagerConfig } from './alertmanager.ts'

test('every alert is posted by itself, at once, with the token from its file', () => {
  const config = parse(alertmanagerConfig('http://127.0.0.1:1/alerts', '/secret/token'))
  assert.deepEqual(config.route.group_by, ['...'])
  assert.equal(config.route.group_wait, '0s')
  const [webhook] = config.receivers[0].webhook_configs
  assert.equal(webhook.url, 'http://127.0.0.1:1/alerts')
  assert.equal(webhook.send_resolved, true)
  assert.deepEqual(webhook.http_config.authorization, {
    type: 'Bearer',
    credentials_file: '/secret/token',
  })
})
