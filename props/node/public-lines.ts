/**
 * Command lines of qemu-img in public projects, unchanged but for the names of files, which are those of a scene: `disk.qcow2`
 * with the snapshot `s1` and the bitmap `b0`, `saved.qcow2` with a snapshot alone, `over.qcow2` over `base.qcow2`, `top.qcow2`
 * over that, `other.qcow2` with the bitmap `b1`, `target.qcow2` and `target.raw` to be filled, `old.qcow2` of version 2,
 * `leaky.qcow2` with a leak, `disk.raw`, and the password in `key`.
 */

/** A command line of a project. */
export interface PublicLine {
  readonly project: string
  /** Without the name of the program; a word in single quotes may contain spaces. `PORT` is that of a server of the scene. */
  readonly line: string
  /** What it must do. */
  readonly does: string
  /** What the refusal here must contain, where what the line needs is not supported. */
  readonly refused?: string
}

const from =
  (project: string) =>
  (line: string, does: string, refused?: string): PublicLine => ({
    project,
    line,
    does,
    ...(refused === undefined ? {} : { refused })
  })

const [cdi, kubevirt, vdsm, nova, glance, cinder] = [
  from('kubevirt/containerized-data-importer'),
  from('kubevirt/kubevirt'),
  from('oVirt/vdsm'),
  from('openstack/nova'),
  from('openstack/glance'),
  from('openstack/cinder')
]
const [packer, lima, libguestfs, libvirt, proxmox, gns3] = [
  from('hashicorp/packer-plugin-qemu'),
  from('lima-vm/lima'),
  from('libguestfs/libguestfs'),
  from('libvirt/libvirt'),
  from('proxmox/pve-storage'),
  from('GNS3/gns3-server')
]
const [builder, cloudstack, multipass, minikube, osbuild, kiwi] = [
  from('openstack/diskimage-builder'),
  from('apache/cloudstack'),
  from('canonical/multipass'),
  from('kubernetes/minikube'),
  from('osbuild/osbuild'),
  from('OSInside/kiwi')
]
const [incus, podman, vagrant, yocto, v2v, others] = [
  from('lxc/incus'),
  from('containers/podman'),
  from('vagrant-libvirt/vagrant-libvirt'),
  from('openembedded/openembedded-core'),
  from('libguestfs/virt-v2v'),
  from('scripts and manuals')
]

const overServer = `'json: {"file.driver": "http", "file.url": "http://127.0.0.1:PORT/disk.qcow2", "file.timeout": 3600}'`
const rawIsNotGuessed = 'convert -f raw takes it as it is'

export const publicLines: readonly PublicLine[] = [
  cdi('convert -t none -p -O raw disk.qcow2 out.raw', 'a raw file of the disk, with progress'),
  cdi('convert -t writeback -p -O raw disk.qcow2 out.raw', 'the same through the cache'),
  cdi('convert -t none -p -O raw disk.qcow2 out.raw -o preallocation=falloc', 'the same with its space allocated'),
  cdi(`convert -t none -p -O raw ${overServer} out.raw`, 'a raw file of an image on a server'),
  cdi(`info --output=json ${overServer}`, 'the description of an image on a server'),
  cdi('info --output=json disk.qcow2', 'format, sizes and backing file'),
  cdi('info --output=json nbd+unix:///?socket=nbd.sock', 'a disk over NBD', "'nbd+unix:///?socket=nbd.sock'"),
  cdi('resize -f raw disk.raw 8388608', 'a longer raw file'),
  cdi('create -f raw out.raw 4194304', 'a raw file that is a hole'),
  cdi('create -f raw out.raw 4194304 -o preallocation=falloc', 'a raw file with its space allocated'),
  kubevirt('create -f qcow2 -b base.qcow2 -F qcow2 out.qcow2', "an overlay of the base's size"),
  kubevirt('info disk.qcow2 --output json', 'options after the image'),

  vdsm('info --output json -f qcow2 -U disk.qcow2', 'format, sizes, compat and bitmaps of an image in use'),
  vdsm('info --output json -f raw disk.raw', 'sizes of a raw file'),
  vdsm(
    `measure --output json -O qcow2 'json:{"file": {"driver": "file", "filename": "over.qcow2"}, "driver": "qcow2", "backing": null}'`,
    'the size of a copy without its backing file'
  ),
  vdsm(
    `measure --output json -O raw 'json:{"file": {"driver": "file", "filename": "over.qcow2"}, "driver": "qcow2"}'`,
    'the size of the whole disk'
  ),
  vdsm('create -f qcow2 -o compat=1.1 -b base.qcow2 -F qcow2 -u out.qcow2 4194304', 'an overlay, the base unopened'),
  vdsm('create -f qcow2 -o compat=0.10 -o preallocation=metadata out.qcow2 4194304', 'an image of version 2'),
  vdsm('create -f raw -o preallocation=full out.raw 1048576', 'a raw file of zeros that are written'),
  vdsm('check --output json -f qcow2 disk.qcow2', 'image-end-offset'),
  vdsm('check --output json -f qcow2 leaky.qcow2', 'leaks, and exit code 3'),
  vdsm('convert -p -t none -T none -f raw -O qcow2 -o compat=1.1 disk.raw out.qcow2', 'an image of a raw file'),
  vdsm('convert -p -t none -T none -f qcow2 -O raw -o preallocation=falloc -W disk.qcow2 out.raw', 'a raw file'),
  vdsm(
    'convert -p -t none -T none -f qcow2 -O qcow2 -o compat=1.1,backing_file=base.qcow2,backing_fmt=qcow2 top.qcow2 out.qcow2',
    'a copy of the layers above the base'
  ),
  vdsm(
    'convert -p -t none -T none -f qcow2 -O qcow2 -n -W --bitmaps disk.qcow2 target.qcow2',
    'an existing image filled, and its bitmaps'
  ),
  vdsm('convert -p -t none -T none -f qcow2 -O qcow2 -o compat=1.1 -c --bitmaps disk.qcow2 out.qcow2', 'compressed'),
  vdsm('commit -p -t none -b base.qcow2 -f qcow2 top.qcow2', 'two layers written into the base'),
  vdsm('commit -p -t none -d -f qcow2 over.qcow2', 'a layer written into its backing file, and kept'),
  vdsm('map --output json disk.qcow2', 'where guest bytes are'),
  vdsm('amend -o compat=1.1 old.qcow2', 'version 3'),
  vdsm('resize -f qcow2 target.qcow2 8388608', 'a longer disk'),
  vdsm('rebase -t none -T none -u -f qcow2 -F qcow2 -b other.qcow2 over.qcow2', 'another name of the backing file'),
  vdsm('rebase -t none -T none -f qcow2 -F qcow2 -b other.qcow2 over.qcow2', 'another backing file, the same disk'),
  vdsm('compare -p -f qcow2 -F qcow2 -s disk.qcow2 target.qcow2', 'exit code 1, and where they differ'),
  vdsm('compare -p -f qcow2 -F raw -s disk.qcow2 disk.raw', 'exit code 1, and the first hole of the file'),
  vdsm('bitmap --add --enable disk.qcow2 new -g 65536', 'a bitmap that records'),
  vdsm('bitmap --add --disable disk.qcow2 new', 'a bitmap that does not'),
  vdsm('bitmap --remove disk.qcow2 b0', 'no bitmap'),
  vdsm('bitmap --merge b0 -F qcow2 -b disk.qcow2 other.qcow2 b1', 'the dirty ranges of both'),

  nova('convert -t none -O raw -f qcow2 disk.qcow2 out.raw', 'a raw file of the disk'),
  nova('convert -t writeback -O qcow2 -f qcow2 -c disk.qcow2 out.qcow2', 'a compressed copy'),
  nova('convert -f qcow2 -O qcow2 -c disk.qcow2 out.qcow2', 'a compressed copy: a snapshot of an instance'),
  nova('create -f qcow2 -o backing_file=base.qcow2,backing_fmt=qcow2 out.qcow2 4194304', 'an overlay of a given size'),
  nova('info disk.qcow2 --force-share --output=json -f qcow2', 'the description of an image in use'),
  nova('resize disk.qcow2 8388608', 'refused as by qemu-img where it is: the image has a snapshot and a bitmap'),
  nova('rebase -b base.qcow2 -F qcow2 top.qcow2', 'the layer between is copied'),
  glance('info -f qcow2 --output=json disk.qcow2', 'the description, and nothing on standard error'),
  glance('convert -f qcow2 -O raw disk.qcow2 out.raw', 'a raw file of the disk'),
  glance('convert -f vmdk -O raw disk.vmdk out.raw', 'a VMDK image read', "'vmdk'"),
  cinder('convert -O raw -t none -f qcow2 disk.qcow2 out.raw', 'a raw file of the disk'),
  cinder('create -f qcow2 -o preallocation=metadata out.qcow2 16777216', 'all mapping tables'),
  cinder('resize target.qcow2 2G', 'a longer disk'),
  cinder('commit over.qcow2', 'a layer written into its backing file, and emptied'),
  cinder('rebase -u -b base.qcow2 top.qcow2 -F qcow2', 'another name of the backing file'),
  cinder(
    'create -f qcow2 -o encrypt.format=luks,encrypt.key-secret=sec1,encrypt.cipher-alg=aes-256,encrypt.cipher-mode=xts,encrypt.ivgen-alg=plain64 --object secret,id=sec1,format=raw,file=key out.qcow2 1048576',
    'an encrypted image',
    "'--object'"
  ),

  packer('create -f qcow2 out.qcow2 40960M', 'an image of a given size'),
  packer('create -f qcow2 -b base.qcow2 -F qcow2 out.qcow2 40960M', 'an overlay that is longer'),
  packer('convert -c -O qcow2 disk.qcow2 out.qcow2', 'a compressed copy'),
  packer('convert -O qcow2 disk.qcow2 out.qcow2', 'a copy without unused clusters'),
  packer('resize -f qcow2 target.qcow2 40960M', 'a longer disk'),
  lima('info --output=json --force-share disk.qcow2', 'the description of an image in use'),
  lima('convert -O raw disk.qcow2 out.raw', 'a raw file of the disk'),
  lima('create -f qcow2 -F qcow2 -b base.qcow2 out.qcow2 107374182400', 'an overlay of 100 GiB'),
  libguestfs('create -f qcow2 -o backing_file=base.qcow2,backing_fmt=qcow2 ./out.qcow2', 'an overlay'),
  libguestfs(
    'create -f qcow2 -o preallocation=falloc,compat=1.1,cluster_size=65536 ./out.qcow2 1048576',
    'an image with its space allocated'
  ),
  libguestfs('info -U --output json ./disk.qcow2', 'the description of an image in use'),
  libvirt(
    'create -f qcow2 -b base.qcow2 -o backing_fmt=qcow2,compat=1.1,lazy_refcounts out.qcow2 5242880K',
    'an overlay'
  ),
  libvirt('create -f qcow2 -o preallocation=metadata,compat=0.10 out.qcow2 4096K', 'an image of version 2'),
  libvirt('create -f qcow2 -o compat=1.1,cluster_size=131072 out.qcow2 5242880K', 'other clusters'),
  libvirt('convert -f raw -O qcow2 -o compat=1.1,preallocation=metadata disk.raw out.qcow2', 'an image of a raw file'),
  libvirt('snapshot -c s2 disk.qcow2', 'a further snapshot'),
  libvirt(
    'create -f luks --object secret,id=key0,file=key -o key-secret=key0 out.luks 1M',
    'a LUKS file',
    "'--object'"
  ),
  proxmox('create -o preallocation=metadata -f qcow2 out.qcow2 4096K', 'all mapping tables'),
  proxmox('create -F qcow2 -b base.qcow2 -f qcow2 out.qcow2', 'an overlay: a linked clone'),
  proxmox('create -b base.qcow2 -f qcow2 out.qcow2', 'refused: without the format of the backing file'),
  proxmox('snapshot -a s1 saved.qcow2', 'the disk of the snapshot again'),
  proxmox('snapshot -d s1 disk.qcow2', 'no snapshot'),
  proxmox('convert -p -n -l snapshot.name=s1 -T none -f qcow2 -O raw disk.qcow2 target.raw', 'the disk of a snapshot'),
  proxmox('convert -p -n -r 102400K -f qcow2 -O qcow2 disk.qcow2 target.qcow2', 'a limited rate'),
  gns3('rebase -u -b base.qcow2 -F qcow2 top.qcow2', 'another name of the backing file'),
  gns3('rebase -u -b base.qcow2 top.qcow2', 'refused: without the format of the backing file'),
  gns3('create -o backing_file=base.qcow2 -F qcow2 -f qcow2 out.qcow2', 'an overlay: a linked clone'),
  gns3('check disk.qcow2', 'the report of an image without errors'),
  gns3('check -r all leaky.qcow2', 'the leak repaired'),

  builder('convert -c -f raw -O qcow2 disk.raw out.qcow2', 'a compressed image of a raw file'),
  builder('convert -c -f raw -O qcow2 -o compat=0.10 disk.raw out.qcow2', 'the same of version 2'),
  cloudstack('convert -O qcow2 -U --image-opts driver=qcow2,file.filename=disk.qcow2 out.qcow2', 'a copy'),
  cloudstack(
    'convert -n --target-is-zero -W -S 1M -O qcow2 -U --image-opts driver=qcow2,file.filename=disk.qcow2 target.qcow2',
    'an existing image filled, zeros left out'
  ),
  cloudstack(
    'convert -O qcow2 -l snapshot.name=s1 -U --image-opts driver=qcow2,file.filename=disk.qcow2 out.qcow2',
    's1'
  ),
  cloudstack('info -U disk.qcow2', 'virtual size, file format, backing file'),
  cloudstack('snapshot -d s1 --image-opts driver=qcow2,file.filename=disk.qcow2', 'no snapshot'),
  multipass('resize target.qcow2 5368709120', 'a longer disk'),
  multipass('snapshot -l disk.qcow2', 'the snapshots, of which one is searched'),
  multipass('convert -p -O qcow2 disk.raw out.qcow2', 'an image of a file of a guessed format', rawIsNotGuessed),
  minikube('convert -f raw -O qcow2 disk.raw out.qcow2', 'an image of a raw file'),
  minikube('resize target.qcow2 +20000M', 'a longer disk'),
  osbuild('convert -O qcow2 -c -o compat=0.10 -m 8 disk.qcow2 out.qcow2', 'a compressed copy of version 2'),
  osbuild(
    'convert -O vmdk -c -o adapter_type=ide,compat6,subformat=streamOptimized disk.qcow2 out.vmdk',
    'VMDK',
    "'vmdk'"
  ),
  osbuild('convert -O vpc -o subformat=fixed,force_size disk.qcow2 out.vhd', 'a fixed VHD', "'vpc'"),
  osbuild('convert -O vhdx disk.qcow2 out.vhdx', 'a VHDX', "'vhdx'"),
  kiwi('convert -c -f raw disk.raw -O qcow2 out.qcow2', 'options between the files'),
  incus('convert -p -f qcow2 -O raw -t writeback -T none -t none disk.qcow2 out.raw', 'the last of two modes'),
  incus('resize -f raw disk.raw 16777216', 'a longer raw file'),
  podman('resize target.qcow2 100G', 'a longer disk'),
  vagrant(`rebase -p -b '' over.qcow2`, 'the whole disk in the image, no backing file'),
  vagrant('info over.qcow2', 'the backing file'),
  yocto('convert -O vdi disk.qcow2 out.vdi', 'a VDI', "'vdi'"),
  v2v('convert -p -n -f qcow2 -O qcow2 -o compat=1.1 over.qcow2 target.qcow2', 'refused as by qemu-img where it is'),
  v2v('convert -p -n -f qcow2 -O raw -S 64k over.qcow2 target.raw', 'an existing file filled'),

  others('create -q -f qcow2 -o lazy_refcounts=on,preallocation=off out.qcow2 64G', 'lazy refcounts'),
  others('convert -c -p -m 2 -O qcow2 -o compression_type=zstd disk.qcow2 out.qcow2', 'compressed by zstd'),
  others('convert -S 16k -O qcow2 disk.qcow2 out.qcow2', 'runs of zeros of 16 KiB left out'),
  others('convert -S 0 -f qcow2 -O raw disk.qcow2 out.raw', 'a raw file without holes'),
  others('convert -f raw -O qcow2 -C disk.raw out.qcow2', 'copies by the host'),
  others(
    'convert --image-opts driver=raw,offset=65536,size=512,file.driver=file,file.filename=disk.raw out.raw',
    'a part'
  ),
  others(
    'convert --image-opts --object secret,id=sec0,file=key,format=base64 -O qcow2 driver=luks,file.driver=file,file.filename=disk.raw,key-secret=sec0 out.qcow2',
    'a LUKS file read',
    "'luks'"
  ),
  others('convert --image-opts driver=vvfat,floppy=on,fat-type=12,label=X,dir=. out.raw', 'a folder as FAT', "'vvfat'"),
  others('dd -f qcow2 -O raw bs=4M if=disk.qcow2 of=out.raw', 'a raw file of the disk'),
  others('dd -f qcow2 -O raw bs=512 count=4096 if=disk.qcow2 of=out.raw', 'its first 2 MiB'),
  others('info --backing-chain --output=json top.qcow2', 'three descriptions'),
  others('info --backing-chain -U top.qcow2', 'the same to be read'),
  others('check --force-share disk.qcow2', 'the report of an image in use'),
  others('check -r leaks -f qcow2 --output=json leaky.qcow2', 'the leak repaired, as JSON'),
  others('commit -f qcow2 -p -b base.qcow2 top.qcow2', 'two layers written into the base'),
  others('resize --shrink target.qcow2 1M', 'a shorter disk'),
  others('resize target.qcow2 1M', 'refused: without --shrink'),
  others('amend -f qcow2 -o compat=0.10 target.qcow2', 'version 2'),
  others('measure -O qcow2 top.qcow2', 'the size of a copy'),
  others('measure --size 10G -O qcow2 -o cluster_size=2M --output=json', 'the size of a new image'),
  others('map --output=json -f raw disk.raw', 'data and holes of a raw file'),
  others('map top.qcow2', 'which file holds what'),
  others('compare disk.qcow2 disk.qcow2', 'Images are identical.'),
  others('bitmap --remove -f qcow2 disk.qcow2 b0', 'no bitmap'),
  others('bitmap --clear disk.qcow2 b0', 'an empty bitmap')
]
