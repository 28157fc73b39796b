/** Longest `sessionId` and `requestId`, in UTF-16 code units. */
export const MAX_ID_LENGTH = 128;

/** Longest path a client may name (Linux's PATH_MAX). */
export const MAX_PATH_LENGTH = 4096;

/** Most terminal bytes in one binary frame, either way. */
export const MAX_FRAME_PAYLOAD_BYTES = 64 * 1024;

/**
 * Most terminal bytes in one `output` of `trex.v1`. Longer strings live where V8 collects them at a cost: 64 KiB took a
 * tenth more of the server's time, and a fifth more of the client's.
 */
export const MAX_TEXT_PAYLOAD_BYTES = 16 * 1024;

/** A client acknowledges after consuming this much, or after so long, whichever is first. */
export const ACKNOWLEDGE_BYTES = 16 * 1024;
export const ACKNOWLEDGE_MS = 5;

/** Input of one session that a client of `trex.v2` may have sent and that has not been acknowledged. */
export const INPUT_CREDIT_BYTES = 256 * 1024;

/** Sessions that one `hello` may name. */
export const MAX_RESUMED = 1024;

/** Sessions that one `acknowledge` may name. */
export const MAX_ACKNOWLEDGED = 1024;
