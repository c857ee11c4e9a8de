import { useSyncExternalStore } from "react";

const phone = () => window.matchMedia("(max-width: 720px)");
const subscribe = (changed: () => void) => {
  const media = phone();
  media.addEventListener("change", changed);
  return () => media.removeEventListener("change", changed);
};

/** Whether the screen is as narrow as a phone's: bottom tabs, one column. The same width stands in the style sheets. */
export const useIsPhone = (): boolean => useSyncExternalStore(subscribe, () => phone().matches);
