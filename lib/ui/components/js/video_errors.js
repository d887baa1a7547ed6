// Why a video element could not play its source.

export const EXPIRED = "The link to this video is no longer valid; reload the page.";

// Returns "network" (the server can't be reached), "gone" (it doesn't know the URL) or "unsupported" (the browser can't
// play the format); null where there is no error.
export async function videoProblem(video, src) {
  const code = video?.error?.code;
  if (!code) return null;
  if (code === MediaError.MEDIA_ERR_NETWORK) return "network";
  if (code !== MediaError.MEDIA_ERR_SRC_NOT_SUPPORTED) return "unsupported";
  // The browser reports a missing file and a foreign format alike: ask the server which one it is.
  try {
    const answer = await fetch(src, { method: "HEAD" });
    return answer.ok ? "unsupported" : "gone";
  } catch {
    return "network";
  }
}
