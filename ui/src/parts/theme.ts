import { type BrandVariants, createDarkTheme, createLightTheme, type Theme } from "@fluentui/react-components";
import { useSyncExternalStore } from "react";

const brand: BrandVariants = {
  10: "#020a16", 20: "#071a33", 30: "#0a2a54", 40: "#0b3670", 50: "#0c438c", 60: "#0e51a9", 70: "#0f5fc7", 80: "#1a6fdd",
  90: "#3a82e4", 100: "#5594ea", 110: "#6ea5ef", 120: "#86b5f3", 130: "#9dc4f6", 140: "#b4d2f9", 150: "#cbe0fb", 160: "#e2eefd",
};

const light: Theme = { ...createLightTheme(brand), colorBrandBackground: brand[70], colorBrandForeground1: brand[70], colorBrandForegroundLink: brand[60] };
const dark: Theme = { ...createDarkTheme(brand), colorBrandForeground1: brand[110], colorBrandForegroundLink: brand[120] };

const query = () => window.matchMedia("(prefers-color-scheme: dark)");
const subscribe = (changed: () => void) => {
  const media = query();
  media.addEventListener("change", changed);
  return () => media.removeEventListener("change", changed);
};

/** Light or dark as the system says, also when it changes its mind at dusk. High contrast is the browser's and Fluent's. */
export const useTheme = (): { theme: Theme; isDark: boolean } => {
  const isDark = useSyncExternalStore(subscribe, () => query().matches);
  return { theme: isDark ? dark : light, isDark };
};
