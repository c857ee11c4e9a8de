#include "api/assets.h"

#include <zlib.h>

#include <span>

namespace flowmend::api {

// Written by cmake/embed_portal.py from ui/dist.
std::span<const Asset> embedded_portal();

const Asset* find_asset(std::string_view path) {
  for (const Asset& asset : embedded_portal()) {
    if (asset.path == path) return &asset;
  }
  return nullptr;
}

bool has_portal() { return find_asset("/index.html") != nullptr; }

std::optional<std::string> unpack(const Asset& asset) {
  z_stream stream{};
  if (inflateInit2(&stream, 16 + MAX_WBITS) != Z_OK) return std::nullopt;
  std::string out;
  char buffer[16384];
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(asset.gzip.data()));
  stream.avail_in = static_cast<uInt>(asset.gzip.size());
  int status = Z_OK;
  while (status == Z_OK) {
    stream.next_out = reinterpret_cast<Bytef*>(buffer);
    stream.avail_out = sizeof buffer;
    status = inflate(&stream, Z_NO_FLUSH);
    out.append(buffer, sizeof buffer - stream.avail_out);
  }
  inflateEnd(&stream);
  if (status != Z_STREAM_END) return std::nullopt;
  return out;
}

}  // namespace flowmend::api
