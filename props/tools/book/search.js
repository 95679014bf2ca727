/** The search of the book: lines that have every word of what is typed, the shortest first. */
const input = document.getElementById('search')
const found = document.getElementById('found')
const most = 20

input.addEventListener('input', () => {
  const words = input.value.toLowerCase().split(/\s+/).filter(Boolean)
  const hits =
    words.length === 0 ? [] : searchIndex.filter(([text]) => words.every((word) => text.toLowerCase().includes(word)))
  hits.sort(([a], [b]) => a.length - b.length)
  found.replaceChildren(
    ...hits.slice(0, most).map(([text, to]) => {
      const link = document.createElement('a')
      link.href = to
      link.textContent = text.length > 160 ? `${text.slice(0, 160)}…` : text
      const item = document.createElement('li')
      item.append(link)
      return item
    })
  )
})
