import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import { type Place, toBase64 } from './s3-upload.ts'

/** An address for one upload: that nothing is there yet, and type, checksum and size, where declared, are signed and must be kept to. */
export const presignUpload = async (
  { client, ...where }: Place,
  declared: { seconds: number; contentType?: string; sha256?: string; size?: number },
): Promise<{ url: string; headers: Record<string, string> }> => {
  const { seconds, contentType, sha256, size } = declared
  const command = new PutObjectCommand({
    ...where,
    ContentType: contentType,
    ContentLength: size,
    IfNoneMatch: '*',
    ...(sha256 && { ChecksumSHA256: toBase64(sha256), Metadata: { sha256: sha256.toLowerCase() } }),
  })
  const headers: Record<string, string> = {
    'if-none-match': '*',
    ...(contentType && { 'content-type': contentType }),
    ...(sha256 && { 'x-amz-checksum-sha256': toBase64(sha256), 'x-amz-meta-sha256': sha256.toLowerCase() }),
  }
  const url = await getSignedUrl(client, command, {
    expiresIn: seconds,
    signableHeaders: new Set(['host', 'content-length', ...Object.keys(headers)]),
    unhoistableHeaders: new Set(Object.keys(headers)),
  })
  return { url, headers }
}

/** An address for one download. */
export const presignDownload = (
  { client, ...where }: Place,
  { seconds, fileName }: { seconds: number; fileName?: string },
): Promise<string> => {
  const disposition = fileName && `attachment; filename="${fileName.replaceAll(/[^\w.-]/g, '_')}"`
  const command = new GetObjectCommand({ ...where, ...(disposition && { ResponseContentDisposition: disposition }) })
  return getSignedUrl(client, command, { expiresIn: seconds })
}
