const conversion = 'quotes the Go types that a real server cannot convert into each other'

/**
 * Where the lab answers otherwise than a real API server, and why that is left so. Everything else that
 * differs is a fault of the lab.
 */
export const differences: Readonly<Record<string, string>> = {
  'config-maps 3: POST /api/v1/namespaces/conformance-config-maps/configmaps': conversion,
  'config-maps 4: POST /api/v1/namespaces/conformance-config-maps/configmaps': conversion,
  'errors 5: POST /api/v1/namespaces/conformance-errors/configmaps':
    "quotes the Go type that a real server's parser fills",
}
