/** Largest WebSocket frame a client may send: larger ones close the connection with 1009. */
export const MAX_FRAME_BYTES = 4 * 1024 * 1024;

/** Longest `sessionId` and `requestId`, in UTF-16 code units. */
export const MAX_ID_LENGTH = 128;

/** Longest path a client may name (Linux's PATH_MAX). */
export const MAX_PATH_LENGTH = 4096;

/** Most output in one frame. */
export const MAX_OUTPUT_FRAME_BYTES = 64 * 1024;
