# What the set-up says: headings with the time since the start, progress of a
# logged command, and failures that read "problem (why) what to do".
# Everything goes to stderr, so that stdout belongs to the program being run.

# heading TEXT: names the step that starts now.
heading() {
  printf '[%2d:%02d] %s\n' $((SECONDS / 60)) $((SECONDS % 60)) "$1" >&2
}

# note TEXT: one indented line below the last heading.
note() {
  printf '        %s\n' "$1" >&2
}

# fail PROBLEM WHY REMEDY: prints the message and ends the script.
fail() {
  printf 'run: %s (%s)\n     %s\n' "$1" "$2" "$3" >&2
  exit 1
}

# show_progress: reads a build's output and shows how far it is. On a terminal
# the last "[n/m] …" line is rewritten in place; elsewhere one line is printed
# for each tenth of the work. With show_output=1 the compiler's words are shown.
show_progress() {
  local line tenth shown=0 width=${COLUMNS:-80}
  while IFS= read -r line; do
    if [[ ! $line =~ ^\[([0-9]+)/([0-9]+)\] ]]; then
      [[ -z ${show_output:-} ]] || printf '%s\n' "$line" >&2
      continue
    fi
    if [[ -t 2 ]]; then
      printf '\r\033[K        %s' "${line:0:width-10}" >&2
      continue
    fi
    tenth=$((10 * BASH_REMATCH[1] / BASH_REMATCH[2]))
    if ((tenth > shown)); then
      shown=$tenth
      note "$((10 * tenth)) % of ${BASH_REMATCH[2]} steps ($((SECONDS / 60))m$((SECONDS % 60))s)"
    fi
  done
  if [[ -t 2 ]]; then printf '\r\033[K' >&2; fi
}

# logged LOG COMMAND…: runs the command with its output appended to LOG. If it
# fails, shows the end of the log, says where it is, and ends the script.
logged() {
  local log=$1
  shift
  mkdir -p "$(dirname "$log")"
  printf '$ %s\n' "$*" >>"$log"
  if ! "$@" 2>&1 | tee -a "$log" | show_progress; then
    if [[ -z ${show_output:-} ]]; then
      printf '%s\n' '----- the end of its log:' >&2
      tail -n 25 "$log" >&2
      printf '%s\n' '-----' >&2
    fi
    fail "'$1' failed" "the whole log is in $log" "Repair what it names, then repeat the command."
  fi
}
