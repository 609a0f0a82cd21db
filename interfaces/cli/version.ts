/** What `jackstay --version` says and the API server's audit log shows; a test holds it to package.json. */
export const version = '0.1.0'
