// The lake's API, as the owner of the token that was pasted. The token stays in this tab and ends with it.

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

/** GET a path of the API and return the answer's JSON. */
export async function get(path, signal) {
  const token = sessionStorage.getItem(KEY) ?? "";
  let answer;
  try {
    answer = await fetch(path, { headers: { Authorization: `Bearer ${token}` }, signal, cache: "no-store" });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError(0, "The lake does not answer.");
  }
  const body = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new ApiError(answer.status, body.message ?? `The lake answered ${answer.status}.`);
  return body;
}

/** Whether a text can be sent as a token at all. */
export const isToken = (text) => /^[\x21-\x7e]+$/.test(text);
