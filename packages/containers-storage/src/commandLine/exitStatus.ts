export const SUCCESS = 0;
export const FAILURE = 1;
/** Flags after the command were wrong, or its help was asked for. */
export const FLAG_ERROR = 125;
