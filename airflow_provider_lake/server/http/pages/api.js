// The lake's API, with the token that the user pasted. The token is stored in this tab only.

const KEY = "lake-token";

export class ApiError extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

export const hasToken = () => sessionStorage.getItem(KEY) !== null;
export const forgetToken = () => sessionStorage.removeItem(KEY);
export const keepToken = (token) => sessionStorage.setItem(KEY, token);

/** GET a path of the API and return the response's JSON. */
export async function get(path, signal) {
  const token = sessionStorage.getItem(KEY) ?? "";
  let response;
  try {
    response = await fetch(path, { headers: { Authorization: `Bearer ${token}` }, signal, cache: "no-store" });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError(0, "The lake does not respond.");
  }
  const body = await response.json().catch(() => ({}));
  if (!response.ok) throw new ApiError(response.status, body.message ?? `The lake responded with status ${response.status}.`);
  return body;
}

/** Whether a text can be sent as a token at all. */
export const isToken = (text) => /^[\x21-\x7e]+$/.test(text);
