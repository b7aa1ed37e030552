// Talks JSON with the server: the CSRF token, one kind of error, and sign-in when the session has ended.
import { learnTime } from "./clock.js";

const TIMEOUT = 30_000;

/** `status` is the HTTP status; 0 where the server could not be reached. The message is for the person. */
export class ApiError extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }

  /** Whether the same call may well work later. */
  get passing() {
    return this.status === 0 || this.status >= 500;
  }
}

/** The `data` of a JSON answer. `json` or `form` is the body. Throws ApiError. */
export async function api(path, options) {
  const response = await request(path, options);
  return (await body(response)).data;
}

/** The response itself, where it is a success or a 304. Throws ApiError. */
export async function request(path, { method = "GET", json, form, headers = {}, timeout = TIMEOUT } = {}) {
  const sent = { Accept: "application/json", ...headers };
  if (method !== "GET") sent["X-CSRFToken"] = document.querySelector('meta[name="csrf-token"]').content;
  if (json) sent["Content-Type"] = "application/json";
  const response = await reach(path, {
    method,
    headers: sent,
    body: json ? JSON.stringify(json) : form,
    credentials: "same-origin",
    signal: timeout ? AbortSignal.timeout(timeout) : undefined,
  });
  learnTime(response);
  if (response.ok || response.status === 304) return response;
  if (response.status === 401) signIn();
  throw new ApiError(response.status, await reason(response));
}

async function reach(path, options) {
  try {
    return await fetch(path, options);
  } catch {
    throw new ApiError(0, "The server cannot be reached.");
  }
}

async function body(response) {
  try {
    return await response.json();
  } catch {
    throw new ApiError(0, "The server's answer broke off.");
  }
}

async function reason(response) {
  try {
    return (await response.json()).msg;
  } catch {
    return `The server answered with an error (${response.status}). Try again in a moment.`;
  }
}

function signIn() {
  const here = location.pathname + location.search;
  location.assign(`/login?next=${encodeURIComponent(here)}`);
}
