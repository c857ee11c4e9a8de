#pragma once

namespace flowmend::disk {

/// What the disk under SQLite does from now on. Process-wide; any thread.
enum class Mood { works, write_fails, sync_fails, full };
void set_mood(Mood mood);

/// Puts a layer under SQLite that makes writes and syncs fail as the mood says. Call once, before a store is opened.
void install();

}  // namespace flowmend::disk
