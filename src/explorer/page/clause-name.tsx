/** The id of a clause, as a link where the page is part of the book. */
import { bookPlace } from './served.js'

export const ClauseName = ({ id }: { readonly id: string }) => {
  const place = bookPlace(id)
  return place === undefined ? (
    <span class="clause">{id}</span>
  ) : (
    <a class="clause" href={place} target="_top">
      {id}
    </a>
  )
}
