/** The id of a session: counted from 1 since the server started, and never given twice. */
export const SESSION_ID = /^s[1-9]\d{0,15}$/;
