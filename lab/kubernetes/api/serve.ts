import { bind } from './bind.ts'
import type { Answer, Call } from './call.ts'
import { evict } from './evict.ts'
import { type Answering, answered, isQuestion, token } from './questions.ts'
import { remove, removeAll } from './remove.ts'
import { scale } from './scale.ts'
import { methodNotAllowed, notServed } from './status.ts'
import { create, existing, patch, update, type Writing } from './write.ts'

/** Everything but lists and watches. @throws ApiError */
export async function serve(call: Call, writing: Writing & Answering): Promise<Answer> {
  const { subresource } = call.info
  if (isQuestion(call)) return answered(call, writing)
  if (subresource === 'scale') return scale(call, writing)
  if (subresource === 'token') return token(call, writing)
  if (subresource === 'binding') return bind(call, writing)
  if (subresource === 'eviction') return evict(call, writing)
  if (subresource !== '' && subresource !== 'status' && subresource !== 'finalize') {
    throw notServed(`\`${call.info.plural}/${subresource}\``)
  }
  switch (call.info.verb) {
    case 'get': {
      const object = existing(call, writing.store)
      return { code: 200, body: object, object }
    }
    case 'create':
      return create(call, writing)
    case 'update':
      return update(call, writing)
    case 'patch':
      return patch(call, writing)
    case 'delete':
      return remove(call, writing)
    case 'deletecollection':
      return removeAll(call, writing)
    default:
      throw methodNotAllowed()
  }
}
