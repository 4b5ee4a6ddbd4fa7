/** How long a task waits for an answer unless it says so. */
export const defaultExpirySeconds = 7 * 86_400
