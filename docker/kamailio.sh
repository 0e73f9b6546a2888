#!/bin/sh
# Takes Kamailio out of Debian's package: the program, the modules that the edge's configuration
# loads, and what they are linked with. Its tools, its other modules and their Python stay outside.
set -eu
. "$(dirname "$0")/outside.sh"
apt-get update -qq
# The configuration is tried with this one; Debian's own corrections of it are taken.
apt-get -o APT::Sandbox::User=root download -qq 'kamailio=5.6.3-*'
dpkg-deb -x kamailio_*.deb unpacked
libraries=$(echo unpacked/usr/lib/*/kamailio)
to=/opt/kamailio/${libraries#unpacked/}
mkdir -p "$to/modules" /opt/kamailio/usr/sbin /opt/kamailio/usr/share/doc/kamailio
cp unpacked/usr/sbin/kamailio /opt/kamailio/usr/sbin/
cp unpacked/usr/share/doc/kamailio/copyright /opt/kamailio/usr/share/doc/kamailio/
cp -d "$libraries"/lib*.so.* "$to/"
sed -n 's/^loadmodule "\(.*\)"$/\1/p' /opt/carillon/edge/kamailio.cfg | while read -r module; do
  cp "$libraries/modules/$module" "$to/modules/"
done
# As dpkg would have written it down, for the bill of materials.
{
  echo
  dpkg-deb -f kamailio_*.deb Package Version Architecture
  echo 'Status: install ok installed'
} > status
# What is missing is found here, not by the first call.
LD_LIBRARY_PATH=$to ldd /opt/kamailio/usr/sbin/kamailio "$to"/modules/*.so | grep 'not found' && exit 1
exit 0
