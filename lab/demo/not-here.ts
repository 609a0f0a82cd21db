/** The demo does not go on in a given cluster, and says why. Nothing was made. */
export class NotHere extends Error {}
