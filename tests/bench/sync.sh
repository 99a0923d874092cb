#!/usr/bin/env bash
# Whole-program benchmark: first sync, sync with nothing new, over IMAP one with 10 new mails and 1,000 changed flags,
# and their memory, of mailtui beside its peers (mbsync for IMAP, mpop and fetchmail for POP3; those that are installed), on one private Dovecot, in turn.
#
#   tests/bench/sync.sh MAILDIR [RUNS]
#
# MAILDIR is the corpus (its cur/ is copied for the server). Needs dovecot, openssl, GNU time.
# DELAY_PROXY=program and DELAY_MS=25: every connection passes `program LISTEN TARGET DELAY_MS`.
# TLS=none measures without TLS (the server's part of it weighs on the same cores).
# Prints one line per program and case: seconds, peak resident memory, and the medians at the end; then
# whether every mail in mailtui's stores is byte for byte the server's, by SHA-256.
set -euo pipefail
corpus=$(realpath "${1:?MAILDIR}")
runs=${2:-3}
tls=${TLS:-implicit}
top=$(cd "$(dirname "$0")/../.." && pwd)
bin=${MAILTUI:-$top/target/release/mailtui}
[ -x "$bin" ] || (cd "$top" && cargo build --release --locked)
work=$(mktemp -d)
trap '[ ! -s "$work/run/master.pid" ] || kill "$(cat "$work/run/master.pid")"; [ -z "${proxies:-}" ] || kill $proxies; rm -rf "$work"' EXIT

port() { # a free port of the kernel's choice
  perl -MIO::Socket::INET -e 'print IO::Socket::INET->new(Listen=>1,LocalAddr=>"127.0.0.1")->sockport'
}
imap=$(port) pop3=$(port)
case $tls in
  none) plain_imap=$imap plain_pop3=$pop3 tls_imap=0 tls_pop3=0 mbsync_tls=None mpop_tls=off ;;
  implicit) plain_imap=0 plain_pop3=0 tls_imap=$imap tls_pop3=$pop3 mbsync_tls=IMAPS mpop_tls=on ;;
  *) echo "TLS is implicit or none" >&2 && exit 2 ;;
esac
mkdir -p "$work"/{run,state,home,tls}
chmod 755 "$work" "$work/home"
openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=localhost \
  -addext "subjectAltName=DNS:localhost,IP:127.0.0.1" \
  -keyout "$work/tls/key.pem" -out "$work/tls/cert.pem" 2>/dev/null
if [ "$(id -u)" = 0 ]; then owner=4242; else owner=$(id -u); fi
cat > "$work/dovecot.conf" <<CONF
protocols = imap pop3
base_dir = $work/run
state_dir = $work/state
log_path = $work/log
listen = 127.0.0.1
ssl = yes
ssl_cert = <$work/tls/cert.pem
ssl_key = <$work/tls/key.pem
disable_plaintext_auth = no
passdb {
  driver = static
  args = password=pass
}
userdb {
  driver = static
  args = uid=$owner gid=$owner home=$work/home/%n
}
first_valid_uid = 1
first_valid_gid = 1
mail_location = maildir:~/Maildir
mail_fsync = never
mailbox_list_index = yes
namespace inbox {
  inbox = yes
}
service imap-login {
  inet_listener imap {
    port = $plain_imap
  }
  inet_listener imaps {
    port = $tls_imap
    ssl = yes
  }
}
service pop3-login {
  inet_listener pop3 {
    port = $plain_pop3
  }
  inet_listener pop3s {
    port = $tls_pop3
    ssl = yes
  }
}
pop3_fast_size_lookups = yes
CONF
mkdir -p "$work/home/bench/Maildir"
cp -a "$corpus/." "$work/home/bench/Maildir/"
[ "$(id -u)" != 0 ] || chown -R $owner:$owner "$work/home"
dovecot -c "$work/dovecot.conf"
iport=$imap pport=$pop3
if [ -n "${DELAY_PROXY:-}" ]; then
  iport=$(port) pport=$(port)
  "$DELAY_PROXY" "$iport" "$imap" "${DELAY_MS:-25}" & proxies=$!
  "$DELAY_PROXY" "$pport" "$pop3" "${DELAY_MS:-25}" & proxies="$proxies $!"
fi
for _ in $(seq 100); do
  (exec 3<>"/dev/tcp/127.0.0.1/$iport") 2>/dev/null && (exec 3<>"/dev/tcp/127.0.0.1/$pport") 2>/dev/null && break
  read -rt 0.1 < <(:) || true
done

results=$work/results
measure() { # NAME COMMAND...
  local name=$1
  shift
  command time -o "$work/time" -f '%e %M' "$@" >"$work/out" 2>"$work/err" || { cat "$work/err"; echo "$name failed"; }
  echo "$name $(tail -1 "$work/time")" | tee -a "$results" |
    awk '{printf "%-28s %7.2f s  %6.0f MB\n", $1, $2, $3/1024}'
}

account() { # PROTOCOL PORT
  cat <<CONF
[accounts.bench]
email = "bench@localhost"
protocol = "$1"
host = "localhost"
port = $2
tls = "$tls"
user = "bench"
password = { env = "BENCH_PASSWORD" }
ca_file = "$work/tls/cert.pem"
CONF
}
account imap "$iport" > "$work/imap.toml"
account pop3 "$pport" > "$work/pop3.toml"
export BENCH_PASSWORD=pass
cat > "$work/mbsyncrc" <<CONF
IMAPAccount bench
Host localhost
Port $iport
User bench
Pass pass
SSLType $mbsync_tls
AuthMechs LOGIN
CertificateFile $work/tls/cert.pem

IMAPStore far
Account bench

MaildirStore near
Path $work/near/
Inbox $work/near/INBOX

Channel bench
Far :far:
Near :near:
Create Near
SyncState *
Sync All
CONF
cat > "$work/mpoprc" <<CONF
account bench
host localhost
port $pport
user bench
password pass
tls $mpop_tls
tls_starttls off
tls_trust_file $work/tls/cert.pem
delivery maildir $work/mpop
keep on
uidls_file $work/uidls
received_header off
CONF
case $tls in
  implicit) fetchmail_tls="ssl sslcertck sslcertfile $work/tls/cert.pem" ;;
  none) fetchmail_tls="sslproto ''" ;;
esac
# It delivers by one program for each mail, as people run it: this one writes a file.
cat > "$work/deliver" <<'SH'
#!/bin/sh
exec cat > "$1/new/$$.$(date +%N)"
SH
cat > "$work/fetchmailrc" <<CONF
set idfile $work/fetchids
poll localhost service $pport proto pop3 uidl
  user bench password pass $fetchmail_tls keep no rewrite no mimedecode
  mda "$work/deliver $work/fetched"
CONF
chmod 700 "$work/deliver"
chmod 600 "$work/mpoprc" "$work/mbsyncrc" "$work/fetchmailrc"
export FETCHMAILHOME=$work
# It answers 1 where nothing is new.
fetched() { fetchmail -s -f "$work/fetchmailrc" --pidfile "$work/fetchmail.pid" || [ $? = 1 ]; }
export -f fetched
export work

# What happens on the server between two looks: flags that come and go, and mail.
change() { # ROUND
  local sign=add
  [ $(($1 % 2)) = 1 ] || sign=remove
  doveadm -c "$work/dovecot.conf" flags $sign -u bench '\Flagged' mailbox INBOX uid 1:1000
  for n in $(seq 10); do
    printf 'From: a@example.org\nMessage-ID: <fresh-%s-%s@example.org>\nSubject: fresh %s\n\nnew\n' "$1" "$n" "$n" |
      doveadm -c "$work/dovecot.conf" save -u bench
  done
}

# Warm the server's index first, so that whoever comes first does not pay for it.
measure warm-up "$bin" --config "$work/imap.toml" --data "$work/warm" sync
measure warm-up "$bin" --config "$work/pop3.toml" --data "$work/warm-pop" sync
rm -rf "$work/warm" "$work/warm-pop"
for round in $(seq "$runs"); do
  rm -rf "$work/near" "$work/mpop" "$work/uidls" "$work/fetched" "$work/fetchids" "$work"/data-*
  mkdir -p "$work/near" "$work"/mpop/{cur,new,tmp} "$work"/fetched/{cur,new,tmp}
  if command -v mbsync >/dev/null; then
    measure mbsync-first mbsync -c "$work/mbsyncrc" bench
    measure mbsync-again mbsync -c "$work/mbsyncrc" bench
  fi
  measure mailtui-imap-first "$bin" --config "$work/imap.toml" --data "$work/data-imap" sync
  measure mailtui-imap-again "$bin" --config "$work/imap.toml" --data "$work/data-imap" sync
  change "$round"
  if command -v mbsync >/dev/null; then
    measure mbsync-changes mbsync -c "$work/mbsyncrc" bench
  fi
  measure mailtui-imap-changes "$bin" --config "$work/imap.toml" --data "$work/data-imap" sync
  if command -v mpop >/dev/null; then
    measure mpop-first mpop -C "$work/mpoprc" -Q bench
    measure mpop-again mpop -C "$work/mpoprc" -Q bench
  fi
  if command -v fetchmail >/dev/null; then
    measure fetchmail-first bash -c fetched
    measure fetchmail-again bash -c fetched
  fi
  measure mailtui-pop3-first "$bin" --config "$work/pop3.toml" --data "$work/data-pop3" sync
  measure mailtui-pop3-again "$bin" --config "$work/pop3.toml" --data "$work/data-pop3" sync
done
echo "medians of $runs:"
grep -v '^warm-up' "$results" | sort -k1,1 -k2,2n | awk '
  function flush() { if (n) printf "%-28s %7.2f s  %6.0f MB at most\n", name, t[int((n + 1) / 2)], m / 1024 }
  $1 != name { flush(); name = $1; n = 0; m = 0 }
  { t[++n] = $2; if ($3 > m) m = $3 }
  END { flush() }'

# The server's bytes: what it keeps, with the line ends of the wire.
perl -MDigest::SHA=sha256_hex -e '
  opendir(my $dir, $ARGV[0]) or die;
  for my $name (grep { -f "$ARGV[0]/$_" } readdir $dir) {
    open(my $file, "<:raw", "$ARGV[0]/$name") or die;
    local $/;
    my $mail = <$file>;
    $mail =~ s/\r?\n/\r\n/g;
    print sha256_hex($mail), "\n";
  }' "$work/home/bench/Maildir/cur" | sort > "$work/there"
for protocol in imap pop3; do
  "$bin" --config "$work/$protocol.toml" --data "$work/data-$protocol" list --json -n 0 inbox |
    grep -o '"sha256": *"[0-9a-f]*"' | grep -o '[0-9a-f]\{64\}' | sort > "$work/here"
  if cmp -s "$work/there" "$work/here"; then
    echo "$protocol: $(wc -l < "$work/here") mails, each as the server has it"
  else
    echo "$protocol: $(comm -3 "$work/there" "$work/here" | wc -l) hashes differ" && exit 1
  fi
done
