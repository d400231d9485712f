export { baseFiles, imageBase } from "./base.ts";
export { type Image, imageUser, writeImage } from "./layout.ts";
export { type ImageFile, tarOf } from "./tar.ts";
