import { isIP, isIPv4, isIPv6 } from 'node:net'
import { readDuration, readTimestamp } from '../cel/times.ts'

const uuid = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i
const label = '[a-z0-9]([-a-z0-9]*[a-z0-9])?'

/** The formats that the API server checks; it ignores all others. */
export const formats: Readonly<Record<string, (text: string) => boolean>> = {
  'date-time': (text) => readTimestamp(text) !== undefined,
  date: (text) => /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(text)),
  duration: (text) => readDuration(text) !== undefined,
  byte: (text) => /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text),
  ipv4: isIPv4,
  ipv6: isIPv6,
  cidr: (text) => {
    const [address = '', size = ''] = text.split('/')
    return (
      isIP(address) > 0 && /^\d{1,3}$/.test(size) && Number(size) <= (isIPv4(address) ? 32 : 128)
    )
  },
  uuid: (text) => uuid.test(text),
  uri: (text) => URL.canParse(text),
  'k8s-short-name': (text) => text.length <= 63 && new RegExp(`^${label}$`).test(text),
  'k8s-long-name': (text) =>
    text.length <= 253 && new RegExp(`^${label}(\\.${label})*$`).test(text),
}
