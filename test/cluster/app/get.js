// get.js URL: prints the body; exits with 0 on success, 1 on another status, 2 without an answer
const [url] = process.argv.slice(2)
fetch(url, { signal: AbortSignal.timeout(Number(process.env.TIMEOUT_MS ?? 3000)) }).then(
  async (response) => {
    process.stdout.write(await response.text())
    process.exitCode = response.ok ? 0 : 1
  },
  (error) => {
    process.stderr.write(`${error.cause?.code ?? error.name}\n`)
    process.exitCode = 2
  },
)
