// Asks the server for the newest states.
import { ApiError, api, request } from "../api.js";

const TIMEOUT = 10_000;
const seen = new Map(); // session id -> ETag of the state that was read last

export async function pollActive() {
  return (await api("/crm/jobs/active", { timeout: TIMEOUT })).items;
}

export function pollQueue() {
  return api("/crm/email-queue/status", { timeout: TIMEOUT });
}

export function pollHealth() {
  return api("/crm/email-queue/health", { timeout: TIMEOUT });
}

export function pollAlerts() {
  return api("/crm/alerts", { timeout: TIMEOUT });
}

/** The progress of a session, whatever its type; undefined where nothing has changed since, null where there is no such
 * session. */
export async function pollSession(id) {
  const headers = seen.has(id) ? { "If-None-Match": seen.get(id) } : {};
  try {
    const response = await request(`/crm/activation/progress/${id}`, { headers, timeout: TIMEOUT });
    if (response.status === 304) return undefined;
    seen.set(id, response.headers.get("ETag"));
    return (await response.json()).data;
  } catch (error) {
    if (error instanceof ApiError && !error.passing) return null;
    throw error;
  }
}
