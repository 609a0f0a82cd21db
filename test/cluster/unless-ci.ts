/**
 * How a test is skipped that this machine cannot run. A machine of CI is there to run it: nothing is
 * skipped there, and the test fails with what is missing.
 */
export function unlessCi(
  reason: string | undefined,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): { skip?: string } {
  return reason === undefined || environment.CI ? {} : { skip: reason }
}
