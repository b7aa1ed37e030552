// This page as the server has it now.
import { ApiError, request } from "./api.js";

/** The newest version of this document; null where it cannot be had, which the connection's label explains. */
export async function newestPage() {
  try {
    const response = await request(location.href, { headers: { Accept: "text/html" } });
    if (response.redirected) return null;
    return new DOMParser().parseFromString(await response.text(), "text/html");
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return null;
  }
}
